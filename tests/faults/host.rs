//! What an installed plugin, or a package that is to be installed, could do to the server.
