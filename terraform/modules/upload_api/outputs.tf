output "url" {
  description = "Where to POST images."
  value       = "${aws_apigatewayv2_api.this.api_endpoint}/upload"
}

output "form_url" {
  description = "Where to POST for a form to send larger images by."
  value       = "${aws_apigatewayv2_api.this.api_endpoint}/upload-url"
}

output "api_id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}
