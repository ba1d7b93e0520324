# What `make package` built: two zips, and a manifest that says what they were built for.

locals {
  manifest = try(jsondecode(file("${var.package_dir}/manifest.json")), null)

  runtime      = try(local.manifest.runtime, var.runtime)
  architecture = try(local.manifest.architecture, var.architecture)

  artifacts = {
    for artifact in ["functions", "layer"] : artifact => {
      file = "${var.package_dir}/${try(local.manifest.artifacts[artifact].file, "${artifact}.zip")}"
      hash = try(local.manifest.artifacts[artifact].sha256_base64, "")
    }
  }

  make_package = join(" ", compact([
    "make package",
    var.runtime == null ? "" : "RUNTIME=${var.runtime}",
    var.architecture == null ? "" : "ARCHITECTURE=${var.architecture}",
  ]))
}

# Holds nothing: its conditions are what a plan is refused by.
resource "terraform_data" "package" {
  lifecycle {
    precondition {
      condition     = local.manifest != null
      error_message = "There is no package in ${var.package_dir}. Run `${local.make_package}` first."
    }

    precondition {
      condition     = local.manifest == null || var.runtime == null || try(local.manifest.runtime, null) == var.runtime
      error_message = "The package in ${var.package_dir} was built for ${coalesce(local.runtime, "no runtime")}, but the variable runtime is ${coalesce(var.runtime, "not set")}. Run `${local.make_package}`."
    }

    precondition {
      condition     = local.manifest == null || var.architecture == null || try(local.manifest.architecture, null) == var.architecture
      error_message = "The package in ${var.package_dir} was built for ${coalesce(local.architecture, "no architecture")}, but the variable architecture is ${coalesce(var.architecture, "not set")}. Run `${local.make_package}`."
    }

    precondition {
      condition     = local.manifest == null || alltrue([for artifact in local.artifacts : try(filebase64sha256(artifact.file), "") == artifact.hash])
      error_message = "The zips in ${var.package_dir} are not those of its manifest.json. Run `${local.make_package}` again."
    }
  }
}
