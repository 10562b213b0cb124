"""The names of the lab, exactly as the course uses them, and the tag by which its resources are known again."""

from __future__ import annotations

REGION = "us-east-1"
TAGS = {"course": "api-gateway-security"}
"""Every resource that the course makes carries this tag."""

FUNCTION = "d-lambda-nonvpc-cmp-demo-function"
ROLE = "d-lambda-nonvpc-cmp-demo-function-role"
LOG_GROUP = "/aws/lambda/d-lambda-nonvpc-cmp-demo-function"
NEW_USER_POOL = "User pool - course"
"""The name before task 2.1 renames the pool; the console makes up a name of this form."""
USER_POOL = "d-user-pool-demo"
APP_CLIENT = "d-cognito-spa-app"
REST_API = "d-apigw-cmp-demo"
RESOURCE = "demo"
AUTHORIZER = "d-authorizer-user-pool-demo"
SCOPE = "aws.cognito.signin.user.admin"
STAGE = "dev"
DEPLOYMENT = "Cognito authorizer"
"""The description of the deployment that task 4 ends with."""
EMAIL = "learner@example.com"
