//! Tables with any number of rows and columns: chi-square, G, Cramér's V, mutual information.
