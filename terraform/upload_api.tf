module "upload_api" {
  source = "./modules/upload_api"

  name                = var.name
  function_name       = module.function["upload"].name
  function_invoke_arn = module.function["upload"].invoke_arn
  function_qualifier  = module.function["upload"].qualifier
  jwt                 = var.upload_jwt
  requests_per_second = var.upload_throttle.requests_per_second
  burst               = var.upload_throttle.burst
  kms_key_arn         = module.key.arn
  log_group           = local.log_groups.upload_api
  log_retention_days  = var.log_retention_days
  tags                = local.tags
}
