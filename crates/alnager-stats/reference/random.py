#!/usr/bin/env python3
"""Draws what `src/random.rs` draws, in another language; prints what `random::tests::the_deviates_are_frozen` expects.

Needs nothing but Python. An expert who distrusts the program can redraw a sealed bootstrap from here: replicate
`number` of `seed` is `Random(seed, number).multinomial(rows, cells sorted from the largest down)`.
"""
import math
import struct

BITS = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & BITS
    return z ^ (z >> 31)


def turn(x, by):
    return ((x << by) | (x >> (64 - by))) & BITS


class Random:
    def __init__(self, seed, index):
        start = (mix(seed) + 4 * GOLDEN * index) & BITS
        self.state = [mix((start + GOLDEN * i) & BITS) for i in (1, 2, 3, 4)]

    def bits(self):
        s = self.state
        result = (turn((s[0] + s[3]) & BITS, 23) + s[0]) & BITS
        shifted = (s[1] << 17) & BITS
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = turn(s[3], 45)
        return result

    def uniform(self):
        return (self.bits() >> 11) * 2.0**-53

    def normal(self):
        while True:
            x = 2.0 * self.uniform() - 1.0
            y = 2.0 * self.uniform() - 1.0
            square = x * x + y * y
            if 0.0 < square < 1.0:
                return x * math.sqrt(-2.0 * ln(square) / square)

    def binomial(self, n, share):
        return self.rarer(n, share) if share <= 0.5 else n - self.rarer(n, 1.0 - share)

    def multinomial(self, n, weights):
        counts, left = [], sum(weights)
        for weight in weights:
            others = left - weight
            if n == 0:
                count = 0
            elif others == 0:
                count = n
            elif weight <= others:
                count = self.rarer(n, weight / left)
            else:
                count = n - self.rarer(n, others / left)
            counts.append(count)
            n, left = n - count, others
        return counts

    def rarer(self, n, share):
        if n == 0 or share == 0.0:
            return 0
        return self.inverted(n, share) if n * share < 10.0 else self.rejected(n, share)

    def inverted(self, n, share):
        odds = share / (1.0 - share)
        scaled = (n + 1.0) * odds
        none = exp(n * ln_1p(-share))
        while True:
            left, mass = self.uniform(), none
            for k in range(min(n, 200) + 1):
                if left < mass:
                    return k
                left -= mass
                mass *= scaled / (k + 1) - odds

    def rejected(self, n, share):
        trials = float(n)
        mean = trials * share
        sd = math.sqrt(mean * (1.0 - share))
        b = 1.15 + 2.53 * sd
        a = -0.0873 + 0.0248 * b + 0.01 * share
        while True:
            u = self.uniform() - 0.5
            v = 1.0 - self.uniform()
            us = 0.5 - abs(u)
            if us == 0.0:
                continue
            k = float(math.floor((2.0 * a / us + b) * u + (mean + 0.5)))
            if us >= 0.07 and v <= 0.92 - 4.2 / b:
                return int(k)
            if not 0.0 <= k <= trials:
                continue
            alpha = (2.83 + 5.1 / b) * sd
            mode = float(math.floor((trials + 1.0) * share))
            height = ln_height(k, trials, share) - ln_height(mode, trials, share)
            if ln(v * alpha / (a / (us * us) + b)) <= height:
                return int(k)


def poisson_weight(cluster, seed, replicate):
    start = mix(mix(seed) ^ cluster)
    bits = mix((start + GOLDEN * (replicate + 1)) & BITS)
    # 2^64 · P(X <= k) in whole numbers: 1/e and its share of each k! to 50 digits.
    scale = 10**50
    inverse_e = sum((-1) ** i * scale // math.factorial(i) for i in range(60))
    total, k = 0, 0
    while True:
        total += inverse_e // math.factorial(k)
        if bits < total * 2**64 // scale:
            return k
        k += 1


def ln_height(x, n, share):
    mean = n * share
    off = x - mean
    return -deviance(x, mean, off) - deviance(n - x, n - mean, -off) - ln_size(x) - ln_size(n - x)


def deviance(x, mean, off):
    if x == 0.0:
        return mean
    v = off / (x + mean)
    if abs(v) > 0.1:
        return x * ln(x / mean) - off
    return off * v + 2.0 * x * v * series(v * v, 3.0)


def ln_size(x):
    if x == 0.0:
        return 0.0
    if x < 16.0:
        return ln(float(math.factorial(int(x)))) - (x * ln(x) - x)
    xx = x * x
    rest = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / xx) / xx) / xx) / x
    return rest + 0.9189385332046728 + 0.5 * ln(x)


def series(w, first):
    total = 0.0
    for j in range(9, -1, -1):
        total = w * (1.0 / (first + 2.0 * j) + total)
    return total


def ln(x):
    bits = struct.unpack("<Q", struct.pack("<d", x))[0]
    exponent = (bits >> 52) - 1023
    mantissa = struct.unpack("<d", struct.pack("<Q", (bits & (2**52 - 1)) | (1023 << 52)))[0]
    if mantissa > math.sqrt(2.0):
        mantissa, exponent = 0.5 * mantissa, exponent + 1
    v = (mantissa - 1.0) / (mantissa + 1.0)
    return exponent * 0.6931471805599453 + 2.0 * (v + v * series(v * v, 3.0))


def ln_1p(x):
    if x < -0.25:
        return ln(1.0 + x)
    v = x / (2.0 + x)
    return 2.0 * (v + v * series(v * v, 3.0))


def exp(x):
    part, total = x / 64.0, 1.0
    for j in range(12, 0, -1):
        total = 1.0 + part / j * total
    for _ in range(6):
        total *= total
    return total


def shown(x):
    return struct.pack(">d", x).hex()


def main():
    random = Random(42, 7)
    for _ in range(3):
        print(shown(random.uniform()), shown(random.normal()))
    for n, share in [(10, 0.3), (1000, 0.002), (1000, 0.5), (50, 0.9), (2**47, 0.37), (2**47, 1e-13), (200_000, 0.0001)]:
        print(f"{n} {share}:", *[random.binomial(n, share) for _ in range(6)])
    print(random.multinomial(1000, [5, 0, 300, 20, 7]))
    print([poisson_weight(cluster, 42, 3) for cluster in range(24)])


main()
