"""The names of MiniStack's that only tests use, beside the table of those that labkit does."""

from labkit.local.engine.names import Name

CREATE_ROLE = Name("services.iam", "_create_role", "(p)", "makes a role in another account")
PUT_ROLE_POLICY = Name("services.iam", "_put_role_policy", "(p)", "says what it may do")
SRP_N = Name("services.cognito", "_SRP_N", "int", "the group in which passwords are proved")
DYNAMODB = Name(
    "services.dynamodb",
    "handle_request",
    "async (method, path, headers, body, query_params)",
    "answers whoever asks",
)
TABLE = (CREATE_ROLE, PUT_ROLE_POLICY, SRP_N, DYNAMODB)
