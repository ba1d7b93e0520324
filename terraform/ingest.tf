module "ingest" {
  source = "./modules/ingest"

  name                     = var.name
  queue_arn                = local.queue_arn
  bucket_name              = local.source_bucket
  bucket_arn               = local.bucket_arns.source
  rule_arn                 = local.existing.source ? local.rule_arn : null
  source_filter            = local.source_filter
  function_arn             = module.function["trigger"].arn
  function_timeout_seconds = local.function_settings.trigger.timeout_seconds
  kms_key_arn              = module.key.arn
  maximum_concurrency      = var.trigger_maximum_concurrency
  max_receive_count        = var.max_receive_count
  paused                   = var.paused
  tags                     = local.tags
}
