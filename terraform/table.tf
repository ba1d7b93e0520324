module "table" {
  source = "./modules/table"

  name                = var.name
  kms_key_arn         = module.key.arn
  deletion_protection = var.table_deletion_protection
  tags                = local.tags
}
