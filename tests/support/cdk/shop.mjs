// A REST API and an HTTP API. The template's resources: node shop.mjs > shop.json
import { App, Stack, aws_apigateway as rest, aws_apigatewayv2 as http } from 'aws-cdk-lib'
import { aws_apigatewayv2_authorizers as authorizers, aws_apigatewayv2_integrations as integrations } from 'aws-cdk-lib'
import { aws_cognito as cognito, aws_lambda as lambda } from 'aws-cdk-lib'

const app = new App({ analyticsReporting: false })
const env = { account: '123456789012', region: 'us-east-1' }
const stack = new Stack(app, 'Shop', { env, analyticsReporting: false })
const arn = `arn:aws:lambda:${env.region}:${env.account}:function:echo`
const echo = lambda.Function.fromFunctionArn(stack, 'Echo', arn)
const userPool = cognito.UserPool.fromUserPoolId(stack, 'Pool', 'us-east-1_POOL')

const shop = new rest.RestApi(stack, 'Rest', {
  restApiName: 'shop',
  description: 'Made by the CDK',
  endpointTypes: [rest.EndpointType.REGIONAL],
  cloudWatchRole: false,
  defaultIntegration: new rest.LambdaIntegration(echo, { allowTestInvoke: false }),
  defaultCorsPreflightOptions: { allowOrigins: ['https://example.com'], allowMethods: ['GET', 'POST'] },
  deployOptions: {
    stageName: 'dev',
    throttlingRateLimit: 100,
    throttlingBurstLimit: 50,
    variables: { colour: 'blue' },
    methodOptions: { '/orders/GET': { throttlingRateLimit: 20, throttlingBurstLimit: 10 } },
  },
})
const customers = new rest.CognitoUserPoolsAuthorizer(stack, 'Customers', { cognitoUserPools: [userPool] })
const anyone = new rest.RequestAuthorizer(stack, 'Anyone', {
  handler: echo,
  identitySources: [rest.IdentitySource.header('X-A'), rest.IdentitySource.queryString('q')],
})
const item = { type: rest.JsonSchemaType.STRING }
const order = shop.addModel('Order', {
  schema: { type: rest.JsonSchemaType.OBJECT, required: ['item'], properties: { item } },
})
const orders = shop.root.addResource('orders')
orders.addMethod('GET', undefined, { authorizer: customers })
orders.addMethod('POST', undefined, {
  authorizer: customers,
  requestModels: { 'application/json': order },
  requestValidatorOptions: { validateRequestBody: true },
})
orders.addResource('{id}').addMethod('GET', undefined, {
  authorizer: customers,
  authorizationScopes: ['shop/read'],
  requestParameters: { 'method.request.querystring.v': false },
})
shop.root.addResource('signed').addMethod('GET', undefined, { authorizationType: rest.AuthorizationType.IAM })
shop.root.addResource('asked').addMethod('GET', undefined, { authorizer: anyone })
shop.root.addResource('key').addMethod('GET', undefined, { apiKeyRequired: true })
shop.root.addResource('open').addProxy()
const templates = { 'application/json': '{"statusCode": 200}' }
const health = new rest.MockIntegration({
  requestTemplates: templates,
  integrationResponses: [{ statusCode: '200', responseTemplates: { 'application/json': '{"up": true}' } }],
})
shop.root.addResource('health').addMethod('GET', health, { methodResponses: [{ statusCode: '200' }] })
shop.addGatewayResponse('Unauthorized', {
  type: rest.ResponseType.UNAUTHORIZED,
  responseHeaders: { 'Access-Control-Allow-Origin': "'*'" },
  templates: { 'application/json': '{"wrong": $context.error.messageString}' },
})
const plan = shop.addUsagePlan('Plan', { name: 'partners', throttle: { rateLimit: 10, burstLimit: 5 } })
plan.addApiStage({ stage: shop.deploymentStage })
plan.addApiKey(new rest.ApiKey(stack, 'Key', { apiKeyName: 'partner', value: 'a-key-of-twenty-characters' }))

const integration = new integrations.HttpLambdaIntegration('Echo', echo)
const userPoolClients = [cognito.UserPoolClient.fromUserPoolClientId(stack, 'Client', 'client')]
const users = new authorizers.HttpUserPoolAuthorizer('Users', userPool, { userPoolClients })
const web = new http.HttpApi(stack, 'Web', {
  apiName: 'web',
  defaultAuthorizer: users,
  corsPreflight: { allowOrigins: ['https://example.com'], allowMethods: [http.CorsHttpMethod.GET] },
})
web.addRoutes({ path: '/orders', methods: [http.HttpMethod.GET], integration })
web.addRoutes({ path: '/scoped', integration, authorizationScopes: ['shop/read'] })
web.addRoutes({ path: '/signed', integration, authorizer: new authorizers.HttpIamAuthorizer() })
web.addRoutes({ path: '/open', integration, authorizer: new http.HttpNoneAuthorizer() })
const [simple] = [authorizers.HttpLambdaResponseType.SIMPLE]
const asking = new authorizers.HttpLambdaAuthorizer('Asking', echo, { responseTypes: [simple] })
web.addRoutes({ path: '/asked', integration, authorizer: asking })

const { template } = app.synth().getStackByName('Shop')
console.log(JSON.stringify(template.Resources, null, 1))
