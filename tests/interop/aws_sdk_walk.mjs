// A user pool and an API with the AWS SDK for JavaScript (npm): writes what each step gave.
import { errorOf, load, newestCode, told } from './walk.mjs'

const idp = load('@aws-sdk/client-cognito-identity-provider')
const gateway = load('@aws-sdk/client-api-gateway')
const { endpoint, region, credentials, clientId: ClientId, email: Username } = told
const cognito = new idp.CognitoIdentityProviderClient({ endpoint, region, credentials })
const anybody = new idp.CognitoIdentityProviderClient({ endpoint, region })
const rest = new gateway.APIGatewayClient({ endpoint, region, credentials })

const result = {}

// -- who signs up is signed in by the sessions alone: no second code, no password, no signature
const UserAttributes = [{ Name: 'email', Value: Username }]
const signedUp = await anybody.send(new idp.SignUpCommand({ ClientId, Username, UserAttributes }))
const confirming = { ClientId, Username, ConfirmationCode: await newestCode(Username), Session: signedUp.Session }
const confirmed = await anybody.send(new idp.ConfirmSignUpCommand(confirming))
const signIn = { AuthFlow: 'USER_AUTH', ClientId, AuthParameters: { USERNAME: Username } }
const asked = new idp.InitiateAuthCommand({ ...signIn, Session: confirmed.Session })
const { AccessToken } = (await anybody.send(asked)).AuthenticationResult
const user = await anybody.send(new idp.GetUserCommand({ AccessToken }))
result.user = user.Username === signedUp.UserSub
result.sessionTwice = await errorOf(anybody.send(asked))

// -- an error is one of the classes of the model, and has what its headers and its body say
const UserPoolId = told.userPoolId
const unknown = new idp.AdminGetUserCommand({ UserPoolId, Username: 'nobody' })
const error = await cognito.send(unknown).catch((error) => error)
result.unknown = [error instanceof idp.UserNotFoundException, error.message, error.$metadata.httpStatusCode]
const described = await cognito.send(new idp.DescribeUserPoolCommand({ UserPoolId }))
result.requestIds = [error, described].map(({ $metadata }) => /^[0-9a-f-]{36}$/.test($metadata.requestId))

// -- dates, pages, blobs
const endpointConfiguration = { types: ['REGIONAL'] }
const api = await rest.send(new gateway.CreateRestApiCommand({ name: 'sdk', endpointConfiguration }))
const restApiId = api.id
result.isNew = Math.abs(Date.now() - api.createdDate) < 60_000
const found = []
for await (const page of gateway.paginateGetRestApis({ client: rest, pageSize: 1 }, {})) found.push(...page.items)
result.found = found.filter(({ id }) => id === api.id).length
const mock = {
  'x-amazon-apigateway-integration': {
    type: 'mock',
    requestTemplates: { 'application/json': '{"statusCode": 200}' },
    responses: { default: { statusCode: '200', responseTemplates: { 'application/json': '"up"' } } },
  },
  responses: { 200: { description: 'up' } },
}
const file = { openapi: '3.0.1', info: { title: 'sdk', version: '1' }, paths: { '/health': { get: mock } } }
const body = Buffer.from(JSON.stringify(file))
await rest.send(new gateway.PutRestApiCommand({ restApiId, mode: 'overwrite', body }))
const { items } = await rest.send(new gateway.GetResourcesCommand({ restApiId }))
const resourceId = items.find(({ path }) => path === '/health').id
const method = { restApiId, resourceId, httpMethod: 'GET' }
const tested = await rest.send(new gateway.TestInvokeMethodCommand(method))
result.tested = [tested.status, tested.body]
await rest.send(new gateway.CreateDeploymentCommand({ restApiId, stageName: 'dev' }))
const stage = { restApiId, stageName: 'dev', exportType: 'oas30' }
const exported = JSON.parse(Buffer.from((await rest.send(new gateway.GetExportCommand(stage))).body))
result.exported = Object.keys(exported.paths)
const absent = new gateway.GetStageCommand({ restApiId, stageName: 'none' })
const none = await rest.send(absent).catch((error) => error)
result.noStage = [none instanceof gateway.NotFoundException, none.message]
console.log(JSON.stringify(result))
