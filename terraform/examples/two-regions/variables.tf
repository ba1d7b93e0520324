variable "teams" {
  description = "Teams that get a stack in each region."
  type        = set(string)
  default     = ["news"]
}

variable "package_dir" {
  description = "Folder with the output of `make package`; null means the one in this repository."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete buckets that still contain images."
  type        = bool
  default     = false
}
