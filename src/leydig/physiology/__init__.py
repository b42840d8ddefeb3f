"""One file per organ system: states, parameters, fluxes and derivatives in plain arithmetic."""
