variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "kms_key" {
  description = "The key that encrypts the objects; null encrypts them with S3's own, the only one that S3 can write access logs with."
  type        = object({ arn = string })
  default     = null
}

variable "access_logs" {
  description = "The bucket that gets the access logs; null writes none."
  type        = object({ bucket = string })
  default     = null
}

variable "noncurrent_version_expiration_days" {
  description = "Days for which a replaced or deleted object can be brought back."
  type        = number
}

variable "expiration_days" {
  description = "Days after which current objects expire; null keeps them."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete a bucket that still holds objects."
  type        = bool
  default     = false
}

variable "outlived_by" {
  description = "ARNs of what is not deleted before this bucket is."
  type        = list(string)
  default     = []
}

variable "policy_statements" {
  description = "Statements of the bucket's policy beside those that deny everything but TLS and this account. `condition` is as in IAM: operator, key, values."
  type = list(object({
    sid        = string
    effect     = string
    principals = map(list(string))
    actions    = list(string)
    resources  = list(string)
    condition  = optional(map(map(list(string))), {})
  }))
  default = []
}
