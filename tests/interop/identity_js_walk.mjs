// The life of an account with amazon-cognito-identity-js (npm): writes what each step gave.
import { errorOf, load, newestCode, told } from './walk.mjs'

const cognito = load('amazon-cognito-identity-js')
const { email, newEmail, password } = told
const pool = new cognito.CognitoUserPool({
  UserPoolId: told.userPoolId,
  ClientId: told.clientId,
  endpoint: told.endpoint,
})
const user = new cognito.CognitoUser({ Username: email, Pool: pool })
const attribute = (Name, Value) => new cognito.CognitoUserAttribute({ Name, Value })

/** A promise from a method that takes a callback of Node.js's form. */
const called = (target, method, ...given) =>
  new Promise((resolve, reject) => {
    target[method](...given, (error, result) => (error ? reject(error) : resolve(result)))
  })
/** A promise from a method that takes an object of callbacks. */
const answered = (target, method, ...given) =>
  new Promise((resolve, reject) => {
    const others = { inputVerificationCode: resolve } // of forgotPassword: the code was sent
    target[method](...given, { onSuccess: resolve, onFailure: reject, ...others })
  })
const signIn = (Username, Password) =>
  answered(user, 'authenticateUser', new cognito.AuthenticationDetails({ Username, Password }))
const attributes = async () =>
  Object.fromEntries((await called(user, 'getUserAttributes')).map(({ Name, Value }) => [Name, Value]))

const result = {}
const given = [attribute('email', email), attribute('name', 'Jane')]
const signedUp = await called(pool, 'signUp', email, password, given, null)
result.signedUp = { confirmed: signedUp.userConfirmed, delivery: signedUp.codeDeliveryDetails }
result.sub = signedUp.userSub
result.signedUpAgain = await errorOf(called(pool, 'signUp', email, password, given, null))
result.unconfirmed = await errorOf(signIn(email, password))
result.wrongCode = await errorOf(called(user, 'confirmRegistration', '000000', false))
result.confirmed = await called(user, 'confirmRegistration', await newestCode(email), false)

result.wrongPassword = await errorOf(signIn(email, `${password}x`))
const session = await signIn(email, password)
result.session = { valid: session.isValid(), claims: session.getIdToken().payload }
result.attributes = await attributes()

result.renamed = await called(user, 'updateAttributes', [attribute('name', 'Jane Doe')])
await called(user, 'updateAttributes', [attribute('email', newEmail)])
result.unverified = await attributes()
result.wrongAttributeCode = await errorOf(answered(user, 'verifyAttribute', 'email', '000000'))
result.verified = await answered(user, 'verifyAttribute', 'email', await newestCode(newEmail))
result.changed = await attributes()

const refreshed = await called(user, 'refreshSession', session.getRefreshToken())
result.refreshedName = refreshed.getIdToken().payload.name
result.accessTokens = [session, refreshed].map((one) => one.getAccessToken().payload)

result.changedPassword = await called(user, 'changePassword', password, `${password}2`)
await answered(user, 'forgotPassword')
result.reset = await answered(user, 'confirmPassword', await newestCode(newEmail), `${password}3`)
result.oldPassword = await errorOf(signIn(newEmail, `${password}2`))
const last = await signIn(newEmail, `${password}3`)
result.signedOut = await answered(user, 'globalSignOut')
result.refreshAfterwards = await errorOf(called(user, 'refreshSession', last.getRefreshToken()))
console.log(JSON.stringify(result))
