# `terraform destroy` deletes a bucket's settings before it asks S3 to delete the bucket. If S3 then refuses because the
# bucket holds images, they would be left without versioning, policy, encryption and public access block. So the guard,
# which depends on everything and is therefore destroyed first, refuses in time.

module "destroy_guard" {
  source = "./modules/function"

  name                     = local.lambda_names.destroy_guard
  description              = "Refuses to destroy a stack that still holds images"
  role_name                = local.role_names.destroy_guard
  role_path                = var.role_path
  permissions_boundary_arn = var.permissions_boundary_arn
  handler                  = "image_converter.handlers.destroy_guard.handler"
  runtime                  = local.runtime
  architecture             = local.architecture
  package                  = local.artifacts.functions
  layers                   = [module.layer.arn]
  memory_mb                = 256
  timeout_seconds          = 60
  kms_key_arn              = module.key.arn
  log_group                = local.log_groups.destroy_guard
  log_retention_days       = var.log_retention_days
  log_format               = local.log_format
  system_log_level         = local.system_log_level
  tracing                  = var.tracing
  tags                     = local.tags

  environment = local.common_environment

  policy_statements = [for arns in [local.own_bucket_arns] : {
    sid       = "SeeWhetherImagesAreLeft"
    actions   = ["s3:ListBucketVersions"]
    resources = arns
  } if length(arns) > 0]
}

resource "aws_lambda_invocation" "destroy_guard" {
  function_name   = module.destroy_guard.name
  lifecycle_scope = "CRUD" # also invoked on destroy

  input = jsonencode({
    buckets                 = [for bucket in local.own_buckets : local.bucket_names[bucket]]
    forceDestroy            = var.force_destroy
    tableDeletionProtection = var.table_deletion_protection
  })

  # New names mean new buckets: the guard checks the old ones before they are replaced.
  triggers = {
    source      = local.bucket_names.source
    destination = local.bucket_names.destination
  }

  depends_on = [
    aws_cloudwatch_dashboard.this,
    aws_cloudwatch_log_subscription_filter.failures,
    aws_cloudwatch_query_definition.executions,
    aws_cloudwatch_query_definition.image,
    aws_lambda_permission.failures,
    module.access_logs_bucket,
    module.alarms,
    module.backfill,
    module.destination_bucket,
    module.destroy_guard,
    module.function,
    module.ingest,
    module.key,
    module.layer,
    module.report_failure,
    module.source_bucket,
    module.state_machine,
    module.table,
    module.upload_api,
  ]
}
