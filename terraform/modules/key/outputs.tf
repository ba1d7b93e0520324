output "arn" {
  description = "ARN of the key."
  value       = var.create ? one(aws_kms_key.this[*].arn) : var.key_arn
}

output "policy" {
  description = "The key's policy, as JSON; null for a key of the caller's."
  value       = one(aws_kms_key.this[*].policy)
}

# Does not depend on the key, so that a caller's key can have them in its policy.
output "statements" {
  description = "Statements of the key's policy that admit services and trusted accounts, in addition to those of its owner."
  value       = local.statements
}
