output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "ARN to invoke the function by; with SnapStart, that of its alias."
  value       = var.snap_start ? one(aws_lambda_alias.snapshot[*].arn) : aws_lambda_function.this.arn
}

output "invoke_arn" {
  description = "ARN by which API Gateway invokes the function."
  value       = var.snap_start ? one(aws_lambda_alias.snapshot[*].invoke_arn) : aws_lambda_function.this.invoke_arn
}

output "qualifier" {
  description = "Name of the alias to invoke the function by; null without SnapStart."
  value       = one(aws_lambda_alias.snapshot[*].name)
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "policy" {
  description = "Policy of the function's role, as JSON."
  value       = aws_iam_role_policy.this.policy
}

output "log_group" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}
