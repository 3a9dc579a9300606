"""The contenders of ``tests.benchmarks.bench``, each a program in an environment of its own."""
