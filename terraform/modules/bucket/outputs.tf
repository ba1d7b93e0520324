output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id

  # Whatever uses the bucket gets it encrypted, versioned and private.
  depends_on = [
    aws_s3_bucket_policy.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "policy" {
  description = "The bucket's policy, as JSON."
  value       = aws_s3_bucket_policy.this.policy
}
