// Signs requests with aws4 (npm). Reads [{request, credentials}] and writes, for each, {path, headers}.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const aws4 = createRequire(`${process.env.LABKIT_NODE_MODULES}/`)('aws4')

const results = []
for (const { request, credentials } of JSON.parse(readFileSync(0, 'utf8'))) {
  const { path, headers } = aws4.sign(request, credentials)
  results.push({ path, headers })
}
console.log(JSON.stringify(results))
