"""Methods: what is trained and how it is sampled, in plain torch without optimiser or device."""
