"""API Gateway: JWT authorisers are described as on AWS."""

from typing import Any

from ministack.services import apigateway

from scripts.local_aws.patches.answers import Response


def install() -> None:
    """Take the payload format version from JWT authorisers, which have none on AWS."""
    create = apigateway._create_authorizer

    def create_authorizer(api_id: str, data: dict[str, Any]) -> Response:
        answer: Response = create(api_id, data)
        for authoriser in apigateway._authorizers.get(api_id, {}).values():
            if authoriser["authorizerType"] == "JWT":
                authoriser.pop("authorizerPayloadFormatVersion", None)
        return answer

    apigateway._create_authorizer = create_authorizer
