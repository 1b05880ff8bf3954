//! 2x2 tables in strata: Cochran-Mantel-Haenszel, common odds and risk ratios, Breslow-Day.
