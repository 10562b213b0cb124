// Signs requests with aws4 or aws4fetch (npm). Reads [{program, request, credentials}] and writes, for each,
// {path, headers}. A request has method, host, path, headers, service and region, and perhaps body and signQuery.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const load = createRequire(`${process.env.LABKIT_NODE_MODULES}/`)
const aws4 = load('aws4')
const { AwsV4Signer } = load('aws4fetch')

const programs = {
  aws4: (request, credentials) => aws4.sign(request, credentials),
  aws4fetch: async ({ host, path, ...request }, credentials) => {
    const signer = new AwsV4Signer({ ...request, ...credentials, url: `https://${host}${path}` })
    const { url, headers } = await signer.sign()
    return { path: url.pathname + url.search, headers: Object.fromEntries(headers) }
  },
}

const results = []
for (const { program, request, credentials } of JSON.parse(readFileSync(0, 'utf8'))) {
  const { path, headers } = await programs[program](request, credentials)
  results.push({ path, headers })
}
console.log(JSON.stringify(results))
