output "source_buckets" {
  description = "Buckets to upload to, by region and team."
  value = {
    frankfurt = { for team, stack in module.frankfurt : team => stack.source_bucket }
    virginia  = { for team, stack in module.virginia : team => stack.source_bucket }
  }
}

output "destination_buckets" {
  description = "Buckets that receive the originals and the PNGs, by region and team."
  value = {
    frankfurt = { for team, stack in module.frankfurt : team => stack.destination_bucket }
    virginia  = { for team, stack in module.virginia : team => stack.destination_bucket }
  }
}
