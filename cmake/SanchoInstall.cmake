# Filled in with the packaging: install rules, find_package(sancho), pkg-config.
