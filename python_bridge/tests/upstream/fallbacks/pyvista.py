"""Only has to be there: meshes are left as they are, neither thinned out nor filled."""
