use super::{ALNUM, BASE64, HEX, random, rules_in};

/// What ordinary projects are full of, and what is no secret.
#[test]
fn ordinary_files_raise_no_alarm() {
    let hex = |length| random(21, HEX, length);
    let base64 = |length| random(22, BASE64, length);
    let alnum = |length| random(23, ALNUM, length);
    let uuid = format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12));
    let pem = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    for (what, text) in [
        ("Cargo.lock", format!("name = \"secret-service\"\nversion = \"4.0.0\"\nchecksum = \"{}\"", hex(64))),
        ("package-lock.json", format!("\"node_modules/js-tokens\": {{\"version\": \"4.0.0\",\n \"resolved\": \"https://registry/js-tokens/-/js-tokens-4.0.0.tgz\",\n \"integrity\": \"sha512-{}==\"", base64(86))),
        ("yarn.lock", format!("token-types@^5.0.1:\n  version \"5.0.1\"\n  resolved \"https://r/token-types-5.0.1.tgz#{}\"\n  integrity sha512-{}==", hex(40), base64(86))),
        ("go.sum", format!("github.com/acme/password v1.2.3 h1:{}=\ngithub.com/acme/token v0.1.0/go.mod h1:{}=", base64(43), base64(43))),
        ("poetry.lock", format!("[metadata]\ncontent-hash = \"{}\"\n{{file = \"token-1.0.whl\", hash = \"sha256:{}\"}}", hex(64), hex(64))),
        ("digests", format!("token_hash = \"{0}\"\npassword_digest: {0}\nSECRET_CHECKSUM={0}\nkey_fingerprint = \"{0}\"", hex(64))),
        ("uuid", format!("id = \"{uuid}\"\nrequest_id: {uuid}\nidempotency_token = \"{uuid}\"")),
        ("image", format!("<img src=\"data:image/png;base64,iVBORw0KGgo{}\">", base64(9000))),
        ("source map", format!("//# sourceMappingURL=data:application/json;base64,{}", base64(4000))),
        ("certificate", pem("CERTIFICATE", &base64(1200))),
        ("public key", pem("PUBLIC KEY", &base64(392))),
        ("marker in code", format!("if text.starts_with(\"-----BEGIN {} KEY-----\") {{ parse(text) }}", "PRIVATE")),
        ("shortened key", format!("-----BEGIN RSA {} KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA {0} KEY-----", "PRIVATE")),
        ("public jwk", format!("{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{0}\",\"y\":\"{0}\",\"kid\":\"{0}\"}}", random(1, ALNUM, 43))),
        ("example key of AWS", ["AKIA", "IOSFODNN7EXAMPLE"].concat()),
        ("example secret of AWS", ["aws_secret_access_key", " = wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"].concat()),
        ("templates", "password: ${DB_PASSWORD}\ntoken = \"{{ vault_token }}\"\nsecret: <your-secret-here>\nAPI_KEY=$(cat /run/secrets/key)\nTOKEN=%API_TOKEN%\nkey: ${{ secrets.DEPLOY_TOKEN1 }}".to_owned()),
        ("placeholders", "API_KEY=your-api-key-here-123\npassword = \"changeme123\"\nsecret: xxxxxxxxxxxxxxxx\ntoken=1234567890abcdef\nclient_secret = \"REDACTED-abc123DEF\"\npassword: \"password123\"".to_owned()),
        ("code", "let token = self.tokens.next_token2();\npassword = getpass.getpass()\nsecret = os.environ[\"SECRET_KEY1\"]\ntoken: Option<Token>,\nlet secret = Secret::from_bytes(&bytes32);\nconst tokenName = \"accessTokenV2\";\nif password == confirm_password2 { return }\napi_key=api_key,\nclient_secret=client_secret2,\ntoken = tokens[i+1]".to_owned()),
        ("types", "pub fn sign(secret: &[u8], token: &str) -> Result<String, TokenError2>;\nprivate final String tokenPrefix1 = \"Bearer \";\npassword: string | undefined;\nsecret?: Buffer | Uint8Array;".to_owned()),
        ("labels", "\"password\": \"Enter your password\",\n\"token.label\": \"Token1\",\npassword.placeholder = \"At least 8 characters\"\ntoken_url = \"https://idp.acme.test/oauth2/token\"\ntoken_endpoint: https://login.acme.test/v2/token1\nsecret_name = \"prod/payroll/db-1\"\nclient_secret_ref: vault-kv-42x9f8".to_owned()),
        ("pages", format!("next_page_token = \"{0}\"\n\"nextToken\": \"{0}\"\ncsrf_token: \"{0}\"", alnum(40))),
        ("paths", "password_file = \"/run/secrets/db_password_v2\"\nSECRET_PATH=/etc/acme/keys/prod-01.key\ntoken: ./fixtures/token_2024.json".to_owned()),
        ("addresses", "postgres://user:password@localhost/db\nhttp://localhost:8080/a@b\namqp://guest:guest@localhost:5672\nhttps://${USER}:${PASS}@acme.test\nmysql://root:root@127.0.0.1\ngit@github.com:acme/x.git\nssh://git@acme.test:22/x\npostgres://{user}:{password}@{host}\nredis://:%s@%s\nhttps://acme.test:8443/path?x=a@b.c\nhttps://user:<password>@acme.test".to_owned()),
        ("headers", "Authorization: Basic dXNlcjpwYXNzd29yZA==\nAuthorization: Bearer <token>\nAuthorization: Bearer $TOKEN\nbasic authentication-scheme\nBearer token_that_expires_soon\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned()),
        ("tokens of RFC 7515 and RFC 7519", [
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ", ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ].concat()),
        ("token of jwt.io", format!("const token = \"{}\"", [
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ", ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        ].concat())),
        ("unsigned token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.AAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("minified", "!function(e,t){var n=t.token||\"\",r={password:n,secret:e.secret,apiKey:t.k2};for(var o=0;o<n.length;o++)a[o]=n.charCodeAt(o);e.exports={tokenize:r,accessToken:function(){return i.token1}}}(this,window);".to_owned()),
        ("styles", ".token-string{color:#690}.token.attr-name{color:#07a}.password-strength-3{width:33.3%}".to_owned()),
        ("markdown", "Set the `API_TOKEN` variable, see [tokens](https://docs.acme.test/tokens-2024). The secret: never commit it. Password: at least 12 characters. token=abc".to_owned()),
        ("dates and numbers", "token_ttl = 3600\npassword_changed_at: 2024-05-01T10:00:00Z\nsecret_version = \"20240501.2\"\ntoken_count: 1234567890123\ntokenExpiry = \"1717171717171\"".to_owned()),
        ("encrypted values", format!("password: ENC[AES256_GCM,data:{}]\nsecret: vault:v1:{}\npassword_hash: $2b$12${}", base64(24), base64(40), alnum(53))),
        ("commits", format!("commit {}\nindex {}..{} 100644\nSubproject commit {}", hex(40), hex(10), hex(10), hex(40))),
        ("k8s", "env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n        name: db-credentials-v2\n        key: password1\nsecretName: tls-secret-2024\nserviceAccountToken: true".to_owned()),
        ("shell", "read -s PASSWORD\ncurl -u \"$USER:$PASS\" https://acme.test\ncurl --user $LOGIN https://x\nexport TOKEN=\"$(vault read -field=token x)\"\nlogin $user password $pass".to_owned()),
    ] {
        assert_eq!(rules_in(&text), Vec::<String>::new(), "{what}: {text}");
    }
}
