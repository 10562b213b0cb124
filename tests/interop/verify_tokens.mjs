// Verifies tokens with jose (npm). Reads [{token, jwks, options}] and writes, for each, {payload} or {error}.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const installed = createRequire(`${process.env.LABKIT_NODE_MODULES}/`)
const jose = await import(pathToFileURL(installed.resolve('jose')))

const results = []
for (const { token, jwks, options } of JSON.parse(readFileSync(0, 'utf8'))) {
  if (options.currentDate) options.currentDate = new Date(options.currentDate)
  try {
    const { payload, protectedHeader } = await jose.jwtVerify(token, jose.createLocalJWKSet(jwks), options)
    results.push({ payload, header: protectedHeader })
  } catch (error) {
    results.push({ error: error.code })
  }
}
console.log(JSON.stringify(results))
