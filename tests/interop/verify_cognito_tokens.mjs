// Verifies tokens with aws-jwt-verify (npm), which asks AWS's host for the keys: they come from the local cloud.
// Reads {endpoint, userPoolId, asked: [{token, options, daysAhead}]} and writes {uris, results}: the addresses that
// were asked for keys, and for each token {payload} or {error}.
import http from 'node:http'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const load = createRequire(`${process.env.LABKIT_NODE_MODULES}/`)
const { CognitoJwtVerifier } = load('aws-jwt-verify')
const { SimpleJwksCache } = load('aws-jwt-verify/jwk')
const { endpoint, userPoolId, asked } = JSON.parse(readFileSync(0, 'utf8'))

const uris = []
const fetcher = {
  fetch: (uri) => {
    uris.push(uri)
    const { host, pathname } = new URL(uri)
    return new Promise((resolve, reject) => {
      const request = http.get(endpoint + pathname, { headers: { host } }, async (response) => {
        const parts = []
        for await (const part of response) parts.push(part)
        resolve(Buffer.concat(parts))
      })
      request.on('error', reject)
    })
  },
}
const verifier = CognitoJwtVerifier.create({ userPoolId }, { jwksCache: new SimpleJwksCache({ fetcher }) })

const { now } = Date
const results = []
for (const { token, options, daysAhead } of asked) {
  Date.now = () => now() + daysAhead * 86_400_000
  const verified = verifier.verify(token, options)
  results.push(await verified.then((payload) => ({ payload }), (error) => ({ error: error.constructor.name })))
}
console.log(JSON.stringify({ uris, results }))
