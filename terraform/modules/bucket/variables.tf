variable "name" {
  description = "Globally unique name of the bucket."
  type        = string
}

variable "kms_key" {
  description = "KMS key that encrypts the objects; null uses S3's own key, the only one that S3 can write access logs with."
  type        = object({ arn = string })
  default     = null
}

variable "access_logs" {
  description = "Bucket that receives the access logs; null disables them."
  type        = object({ bucket = string })
  default     = null
}

variable "noncurrent_version_expiration_days" {
  description = "Days to keep noncurrent versions, so that deleted or overwritten objects can be restored."
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
  description = "ARNs of resources that must not be destroyed before this bucket is."
  type        = list(string)
  default     = []
}

variable "trusted_account_ids" {
  description = "Accounts that are not denied, in addition to the bucket's own; `policy_statements` says what they may do."
  type        = list(string)
  default     = []
}

variable "cors_origins" {
  description = "Origins of web pages whose scripts may upload with a presigned form; an empty list admits none."
  type        = list(string)
  default     = []
}

variable "policy_statements" {
  description = "Additional statements of the bucket's policy, which always denies plain HTTP and other accounts."
  type = list(object({
    sid           = string
    effect        = string
    principals    = map(list(string))
    actions       = list(string)
    resources     = optional(list(string), [])
    not_resources = optional(list(string), [])           # instead of resources: all others
    condition     = optional(map(map(list(string))), {}) # as in IAM: operator, key, values
  }))
  default = []
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}
