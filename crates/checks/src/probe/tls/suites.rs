//! Cipher suites that nobody should take any more, by what is wrong with them (IANA registry).

/// What is wrong with some suites, and which they are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// `RC4`.
    pub(super) name: &'static str,
    /// How OpenSSL names them: `kRSA`.
    pub(super) openssl: &'static str,
    suites: &'static [(u16, &'static str)],
}

/// Families that are offered together: what is usual apart from what only an attacker offers, so
/// that something on the way which stops the second does not hide the first.
pub(super) const OFFERS: &[(&str, &[&Family])] = &[
    ("weak.static", &[&RSA, &STATIC_DH]),
    ("weak.cbc", &[&CBC]),
    ("weak.broken", &[&TRIPLE_DES, &RC4, &NULL, &ANONYMOUS, &EXPORT]),
];

impl Family {
    /// The numbers of these suites.
    pub(super) fn suites(&self) -> impl Iterator<Item = u16> {
        self.suites.iter().map(|it| it.0)
    }

    /// The name of a suite of this family.
    pub(super) fn suite(&self, number: u16) -> Option<&'static str> {
        self.suites.iter().find(|it| it.0 == number).map(|it| it.1)
    }
}

/// The family of a suite, and the suite's name.
pub(super) fn weak(number: u16) -> Option<(&'static Family, &'static str)> {
    let mut families = OFFERS.iter().flat_map(|it| it.1).copied();
    families.find_map(|it| Some((it, it.suite(number)?)))
}

/// Whoever gets the key later reads everything that was recorded before.
static RSA: Family = Family {
    name: "RSA key exchange",
    openssl: "kRSA",
    suites: &[
        (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        (0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8"),
        (0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8"),
        (0xc09d, "TLS_RSA_WITH_AES_256_CCM"),
        (0xc09c, "TLS_RSA_WITH_AES_128_CCM"),
        (0xc051, "TLS_RSA_WITH_ARIA_256_GCM_SHA384"),
        (0xc050, "TLS_RSA_WITH_ARIA_128_GCM_SHA256"),
        (0xc07b, "TLS_RSA_WITH_CAMELLIA_256_GCM_SHA384"),
        (0xc07a, "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256"),
        (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
        (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
        (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
        (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        (0x00c0, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256"),
        (0x00ba, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
        (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
        (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
        (0x0096, "TLS_RSA_WITH_SEED_CBC_SHA"),
        (0x0007, "TLS_RSA_WITH_IDEA_CBC_SHA"),
    ],
};

/// As with RSA: no forward secrecy.
static STATIC_DH: Family = Family {
    name: "static Diffie-Hellman",
    openssl: "kDHr:kDHd:kECDHr:kECDHe",
    suites: &[
        (0xc02e, "TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384"),
        (0xc02d, "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256"),
        (0xc032, "TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384"),
        (0xc031, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256"),
        (0xc026, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384"),
        (0xc025, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256"),
        (0xc02a, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384"),
        (0xc029, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256"),
        (0xc005, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA"),
        (0xc004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"),
        (0xc00f, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA"),
        (0xc00e, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"),
        (0x00a1, "TLS_DH_RSA_WITH_AES_256_GCM_SHA384"),
        (0x00a0, "TLS_DH_RSA_WITH_AES_128_GCM_SHA256"),
        (0x00a5, "TLS_DH_DSS_WITH_AES_256_GCM_SHA384"),
        (0x00a4, "TLS_DH_DSS_WITH_AES_128_GCM_SHA256"),
        (0x0069, "TLS_DH_RSA_WITH_AES_256_CBC_SHA256"),
        (0x003f, "TLS_DH_RSA_WITH_AES_128_CBC_SHA256"),
        (0x0068, "TLS_DH_DSS_WITH_AES_256_CBC_SHA256"),
        (0x003e, "TLS_DH_DSS_WITH_AES_128_CBC_SHA256"),
        (0x0037, "TLS_DH_RSA_WITH_AES_256_CBC_SHA"),
        (0x0031, "TLS_DH_RSA_WITH_AES_128_CBC_SHA"),
        (0x0036, "TLS_DH_DSS_WITH_AES_256_CBC_SHA"),
        (0x0030, "TLS_DH_DSS_WITH_AES_128_CBC_SHA"),
    ],
};

/// Padding that is checked after it was decrypted: a string of attacks, Lucky Thirteen among them.
static CBC: Family = Family {
    name: "CBC",
    openssl: "ECDHE+AES:DHE+AES:DHE+CAMELLIA:!AESGCM:!AESCCM",
    suites: &[
        (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
        (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
        (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
        (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
        (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
        (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
        (0x006a, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256"),
        (0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256"),
        (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
        (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
        (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"),
        (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
        (0xc073, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384"),
        (0xc072, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256"),
        (0xc077, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384"),
        (0xc076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
        (0x00c4, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256"),
        (0x00be, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
        (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
        (0x0045, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"),
        (0x009a, "TLS_DHE_RSA_WITH_SEED_CBC_SHA"),
    ],
};

/// Blocks of 64 bits (Sweet32), and keys that can be tried out.
static TRIPLE_DES: Family = Family {
    name: "3DES and DES",
    openssl: "3DES:DES",
    suites: &[
        (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
        (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
        (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
        (0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA"),
        (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        (0xc003, "TLS_ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA"),
        (0xc00d, "TLS_ECDH_RSA_WITH_3DES_EDE_CBC_SHA"),
        (0x0010, "TLS_DH_RSA_WITH_3DES_EDE_CBC_SHA"),
        (0x000d, "TLS_DH_DSS_WITH_3DES_EDE_CBC_SHA"),
        (0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"),
        (0x0012, "TLS_DHE_DSS_WITH_DES_CBC_SHA"),
        (0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
    ],
};

/// Its stream can be told from chance (RFC 7465).
static RC4: Family = Family {
    name: "RC4",
    openssl: "RC4",
    suites: &[
        (0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"),
        (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
        (0xc002, "TLS_ECDH_ECDSA_WITH_RC4_128_SHA"),
        (0xc00c, "TLS_ECDH_RSA_WITH_RC4_128_SHA"),
        (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
        (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
    ],
};

/// It encrypts nothing.
static NULL: Family = Family {
    name: "NULL",
    openssl: "eNULL",
    suites: &[
        (0xc006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA"),
        (0xc010, "TLS_ECDHE_RSA_WITH_NULL_SHA"),
        (0xc001, "TLS_ECDH_ECDSA_WITH_NULL_SHA"),
        (0xc00b, "TLS_ECDH_RSA_WITH_NULL_SHA"),
        (0x003b, "TLS_RSA_WITH_NULL_SHA256"),
        (0x0002, "TLS_RSA_WITH_NULL_SHA"),
        (0x0001, "TLS_RSA_WITH_NULL_MD5"),
    ],
};

/// Nobody shows who they are.
static ANONYMOUS: Family = Family {
    name: "anonymous",
    openssl: "aNULL",
    suites: &[
        (0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"),
        (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"),
        (0xc017, "TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA"),
        (0xc016, "TLS_ECDH_anon_WITH_RC4_128_SHA"),
        (0xc015, "TLS_ECDH_anon_WITH_NULL_SHA"),
        (0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384"),
        (0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256"),
        (0x006d, "TLS_DH_anon_WITH_AES_256_CBC_SHA256"),
        (0x006c, "TLS_DH_anon_WITH_AES_128_CBC_SHA256"),
        (0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA"),
        (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
        (0x0089, "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA"),
        (0x0046, "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA"),
        (0x009b, "TLS_DH_anon_WITH_SEED_CBC_SHA"),
        (0x001b, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA"),
        (0x001a, "TLS_DH_anon_WITH_DES_CBC_SHA"),
        (0x0018, "TLS_DH_anon_WITH_RC4_128_MD5"),
    ],
};

/// Keys of 40 and 56 bits, and groups of 512 bits (FREAK, Logjam).
static EXPORT: Family = Family {
    name: "EXPORT",
    openssl: "EXPORT",
    suites: &[
        (0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"),
        (0x0011, "TLS_DHE_DSS_EXPORT_WITH_DES40_CBC_SHA"),
        (0x0062, "TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA"),
        (0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA"),
        (0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"),
        (0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"),
        (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"),
        (0x000e, "TLS_DH_RSA_EXPORT_WITH_DES40_CBC_SHA"),
        (0x000b, "TLS_DH_DSS_EXPORT_WITH_DES40_CBC_SHA"),
        (0x0019, "TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA"),
        (0x0017, "TLS_DH_anon_EXPORT_WITH_RC4_40_MD5"),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_suite_is_in_one_family_that_its_name_fits() {
        let mut seen = BTreeMap::new();
        for family in OFFERS.iter().flat_map(|it| it.1) {
            for (number, name) in family.suites {
                assert_eq!(seen.insert(*number, name), None, "{name} stands twice");
                let fits = match family.name {
                    "RSA key exchange" => name.starts_with("TLS_RSA_WITH"),
                    "static Diffie-Hellman" => {
                        ["TLS_DH_", "TLS_ECDH_"].iter().any(|it| name.starts_with(it))
                    }
                    "CBC" => name.contains("DHE_") && name.contains("_CBC_"),
                    "3DES and DES" => name.contains("_3DES_") || name.contains("_WITH_DES_"),
                    "anonymous" => name.contains("_anon_"),
                    word => name.contains(&format!("_{word}")),
                };
                assert!(fits, "{name} is no {}", family.name);
                assert_eq!(weak(*number), Some((*family, *name)));
            }
        }
        for modern in [0x1301, 0xc02f, 0xc02b, 0xcca8, 0x009e] {
            assert_eq!(weak(modern), None);
        }
    }
}
