# The layer with the libraries that all functions share.

resource "aws_lambda_layer_version" "this" {
  layer_name               = var.name
  description              = var.description
  filename                 = var.package.file
  source_code_hash         = var.package.hash
  s3_bucket                = var.package.bucket
  s3_key                   = var.package.key
  compatible_runtimes      = [var.runtime]
  compatible_architectures = [var.architecture]
}
