module "upload_api" {
  source = "./modules/upload_api"
  count  = var.create_upload_api ? 1 : 0

  name                = var.name
  function_name       = module.function["upload"].name
  function_invoke_arn = module.function["upload"].invoke_arn
  function_qualifier  = module.function["upload"].qualifier
  jwt                 = var.upload_jwt
  requests_per_second = local.upload_throttle.requests_per_second
  burst               = local.upload_throttle.burst
  cors_origins        = var.upload_cors_origins
  kms_key_arn         = module.key.arn
  log_group           = local.log_groups.upload_api
  log_retention_days  = var.log_retention_days
  tags                = local.tags
}

# States from before the upload API could be left out.
moved {
  from = module.upload_api
  to   = module.upload_api[0]
}
