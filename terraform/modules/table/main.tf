# The table with one record per image: on-demand billing, point-in-time recovery (35 days).

resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "imageName"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  attribute {
    name = "imageName"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
