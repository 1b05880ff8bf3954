//! Two or more samples compared by ranks and by means: Welch, Mann-Whitney, Kruskal-Wallis.
