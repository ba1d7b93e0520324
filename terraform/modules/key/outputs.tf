output "arn" {
  description = "ARN of the key."
  value       = aws_kms_key.this.arn
}

output "policy" {
  description = "The key's policy, as JSON."
  value       = aws_kms_key.this.policy
}
