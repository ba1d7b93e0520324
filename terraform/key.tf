module "key" {
  source = "./modules/key"

  name = var.name
  tags = local.tags
  log_group_arns = [
    for log_group in values(local.log_groups) :
    "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${log_group}"
  ]
  notifying_bucket_arn = local.bucket_arns.source
  budget_notices       = var.monthly_budget_usd != null
  deletion_window_days = var.key_deletion_window_days
}
