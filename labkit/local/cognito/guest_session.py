"""The session policies that an identity pool adds to the credentials it gives: they narrow what the role may do.

https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html#access-policies
"""

from __future__ import annotations

from typing import Any

_VERSION = "2012-10-17"
_ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_NO_IDENTITY_POOLS = {
    "Effect": "Deny",
    "Action": ["cognito-identity:*", "cognito-sync:*"],
    "Resource": "*",
}
"""A user of an identity pool may not call identity pools with its credentials."""

_FOR_GUESTS = """
    appsync:* cloudwatch:* codewhisperer:* cognito-idp:* comprehend:* dynamodb:* execute-api:* firehose:* gamelift:*
    iot:* kinesis:* lambda:* lex:* logs:* machinelearning:* mobileanalytics:* mobiletargeting:* personalize:* polly:*
    rekognition:* s3:* sdb:* ses:* sns:* sqs:* transcribe:* translate:* textract:AnalyzeDocument
    textract:DetectDocumentText sagemaker:InvokeEndpoint rum:PutRumEvents geo:GetMap* geo:SearchPlaceIndex*
    geo:GetPlace geo:CalculateRoute* geo:*Geofence geo:*Geofences geo:*DevicePosition* kms:Encrypt kms:Decrypt
    kms:ReEncryptTo kms:ReEncryptFrom kms:GenerateDataKey kms:GenerateDataKeyPair
    kms:GenerateDataKeyPairWithoutPlaintext kms:GenerateDataKeyWithoutPlaintext
""".split()

SIGNED_IN_POLICY: dict[str, Any] = {
    "Version": _VERSION,
    "Statement": [_ANYTHING, _NO_IDENTITY_POOLS],
}
"""For a user who has signed in."""

GUEST_POLICY: dict[str, Any] = {
    "Version": _VERSION,
    "Statement": [
        {"Effect": "Allow", "Action": _FOR_GUESTS, "Resource": "*"},
        _NO_IDENTITY_POOLS,
    ],
}
"""For a guest, in the enhanced flow: the inline policy and the AWS managed one together."""
