"""Tables of results: methods by data sets, shots or fractions, with spread, differences and published figures."""
