output "url" {
  description = "URL to which images are posted."
  value       = "${aws_apigatewayv2_api.this.api_endpoint}/upload"
}

output "form_url" {
  description = "URL that issues presigned POST forms for larger images."
  value       = "${aws_apigatewayv2_api.this.api_endpoint}/upload-url"
}

output "api_id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}
