"""API Gateway: JWT authorisers are described as on AWS, or each plan would change them."""

from ministack.services import apigateway

from scripts.local_aws.patches.answers import Handler, Json, Response
from scripts.local_aws.patches.around import around


@around(apigateway._create_authorizer)
def create_authorizer(create: Handler, api_id: str, data: Json) -> Response:
    """Take the payload format version from JWT authorisers, which have none on AWS."""
    response = create(api_id, data)
    for authoriser in apigateway._authorizers.get(api_id, {}).values():
        if authoriser["authorizerType"] == "JWT":
            authoriser.pop("authorizerPayloadFormatVersion", None)
    return response
