# What becomes of the source objects: the settings of delete_file, and what it may do then.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
  tracing     = false
}

run "deleted_as_in_the_article" {
  command = plan

  assert {
    condition = (
      local.function_environments.delete_file.SOURCE_AFTER == "delete"
      && local.function_environments.delete_file.OTHER_TYPES == "delete"
    )
    error_message = "The settings of delete_file are ${jsonencode(local.function_environments.delete_file)}"
  }
}

run "everything_is_kept" {
  variables {
    source_after = "keep"
    other_types  = "keep"
  }

  assert {
    condition = (
      local.function_environments.delete_file.SOURCE_AFTER == "keep"
      && local.function_environments.delete_file.OTHER_TYPES == "keep"
    )
    error_message = "The settings of delete_file are ${jsonencode(local.function_environments.delete_file)}"
  }

  assert {
    condition     = [for statement in jsondecode(module.function["delete_file"].policy).Statement : statement.Sid] == ["WriteLogs"]
    error_message = "delete_file may do more than write logs: ${module.function["delete_file"].policy}"
  }

  assert {
    condition = contains(flatten([
      for statement in jsondecode(module.function["copy_file"].policy).Statement : statement.Action
    ]), "s3:GetObjectVersion")
    error_message = "copy_file has lost what it needs"
  }
}

run "only_jpegs_are_kept" {
  variables {
    source_after = "keep"
  }

  assert {
    condition = contains(flatten([
      for statement in jsondecode(module.function["delete_file"].policy).Statement : statement.Action
    ]), "s3:DeleteObject")
    error_message = "delete_file may not delete other files: ${module.function["delete_file"].policy}"
  }
}

run "only_other_types_are_kept" {
  variables {
    other_types = "keep"
  }

  assert {
    condition = contains(flatten([
      for statement in jsondecode(module.function["delete_file"].policy).Statement : statement.Action
    ]), "s3:DeleteObject")
    error_message = "delete_file may not delete JPEGs: ${module.function["delete_file"].policy}"
  }
}
