// What the walks through Cognito share: the input, the packages of LABKIT_NODE_MODULES, the mail, the errors.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** What the test tells: {endpoint, adminToken, region, userPoolId, clientId, email, newEmail, password}. */
export const told = JSON.parse(readFileSync(0, 'utf8'))

/** Loads an installed package. */
export const load = createRequire(`${process.env.LABKIT_NODE_MODULES}/`)

/** The code of the newest mail to an address. */
export async function newestCode(email) {
  const headers = { 'x-labkit-token': told.adminToken }
  const messages = await (await fetch(`${told.endpoint}/_labkit/inbox/${email}`, { headers })).json()
  return messages[0].code
}

/** The name of the error that a promise is rejected with; null when it isn't. */
export const errorOf = (promise) => promise.then(() => null, (error) => error.name)
