"""What several of the shipped plugins need: how texts are compared, and types of settings. No plugin by itself."""
