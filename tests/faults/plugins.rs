//! Plugins and their administration: settings, grants, the service clock, webhooks.
