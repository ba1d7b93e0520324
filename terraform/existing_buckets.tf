# Buckets that exist without this stack. It reads that they are there, and changes nothing about them.

data "aws_s3_bucket" "existing" {
  for_each = toset([for bucket, exists in local.existing : bucket if exists])

  bucket = local.bucket_names[each.key]

  lifecycle {
    postcondition {
      condition     = self.region == local.region
      error_message = "The bucket ${self.bucket} is in ${self.region}, but must be in ${local.region}, as the stack: EventBridge reports its objects there, and a KMS key works in one region."
    }
  }
}
