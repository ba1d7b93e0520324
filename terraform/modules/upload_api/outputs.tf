output "url" {
  description = "Where to POST images."
  value       = "${aws_apigatewayv2_api.this.api_endpoint}/upload"
}

output "api_id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}
