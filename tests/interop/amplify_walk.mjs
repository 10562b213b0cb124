// The life of an account with aws-amplify (npm): writes what each step gave.
import { errorOf, load, newestCode, told } from './walk.mjs'

const { Amplify } = load('aws-amplify')
const auth = load('aws-amplify/auth')
const { email, newEmail, password } = told
Amplify.configure({
  Auth: {
    Cognito: {
      userPoolId: told.userPoolId,
      userPoolClientId: told.clientId,
      userPoolEndpoint: told.endpoint,
      loginWith: { email: true },
    },
  },
})

const tokens = async (options) => {
  const { accessToken, idToken } = (await auth.fetchAuthSession(options)).tokens ?? {}
  return accessToken && { access: accessToken.payload, id: idToken.payload }
}
const byPassword = (secret) =>
  auth.signIn({ username: email, password: secret, options: { authFlowType: 'USER_SRP_AUTH' } })

const result = {}
const named = { username: email, password, options: { userAttributes: { email, name: 'Jane' } } }
result.signedUp = await auth.signUp(named)
result.signedUpAgain = await errorOf(auth.signUp(named))
result.unconfirmed = await byPassword(password)
result.wrongCode = await errorOf(auth.confirmSignUp({ username: email, confirmationCode: '000000' }))
const confirmationCode = await newestCode(email)
result.confirmed = await auth.confirmSignUp({ username: email, confirmationCode })

result.wrongPassword = await errorOf(byPassword(`${password}x`))
result.byPassword = await byPassword(password)
result.user = await auth.getCurrentUser()
result.attributes = await auth.fetchUserAttributes()
const first = await tokens()
result.kept = (await tokens()).access.jti === first.access.jti
const others = [await tokens({ forceRefresh: true }), await tokens({ forceRefresh: true })]
result.accessTokens = [first, ...others].map(({ access }) => access)
result.again = await errorOf(byPassword(password))

result.renamed = await auth.updateUserAttributes({ userAttributes: { name: 'Jane Doe', email: newEmail } })
result.unverified = await auth.fetchUserAttributes()
const attributeCode = { userAttributeKey: 'email', confirmationCode: await newestCode(newEmail) }
await auth.confirmUserAttribute(attributeCode)
result.changed = await auth.fetchUserAttributes()
await auth.updatePassword({ oldPassword: password, newPassword: `${password}2` })
await auth.signOut()
result.signedOut = [await tokens(), await errorOf(auth.getCurrentUser())]

const options = { authFlowType: 'USER_AUTH', preferredChallenge: 'EMAIL_OTP' }
result.byCode = await auth.signIn({ username: newEmail, options })
result.wrongEmailCode = await errorOf(auth.confirmSignIn({ challengeResponse: '00000000' }))
result.byRightCode = await auth.confirmSignIn({ challengeResponse: await newestCode(newEmail) })
result.claims = (await tokens()).id
await auth.signOut({ global: true })
console.log(JSON.stringify(result))
