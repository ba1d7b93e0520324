variable "name" {
  description = "Name of the layer."
  type        = string
}

variable "description" {
  description = "What the layer holds."
  type        = string
}

variable "package" {
  description = "The zip with the libraries: a file with its SHA-256, or an object in a bucket."
  type = object({
    file   = optional(string)
    hash   = optional(string) # in base64; a new version is published when it changes
    bucket = optional(string)
    key    = optional(string)
  })
}

variable "runtime" {
  description = "Lambda runtime that the libraries were built for."
  type        = string
}

variable "architecture" {
  description = "Processor architecture that the libraries were built for."
  type        = string
}
