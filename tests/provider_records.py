"""Records of identity providers as their documentation shows them, and what the monitor makes of each."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "identity_providers"

#: The format that reads the records of a kind in the shared file, by its name for the kind.
FORMATS = {
    "AWS.CloudTrail": "cloudtrail",
    "Asana.Audit": "asana",
    "Auth0.Events": "auth0",
    "Azure.Audit": "entra",
    "Box.Event": "box",
    "Duo.Administrator": "duo",
    "Duo.Authentication": "duo",
    "GCP.AuditLog": "google_workspace",
    "GSuite.ActivityEvent": "google_workspace",
    "Gravitational.TeleportAudit": "teleport",
    "Microsoft365.Audit.AzureActiveDirectory": "microsoft365",
    "MicrosoftGraph.SecurityAlertV2": "entra",
    "Notion.AuditLogs": "notion",
    "Okta.SystemLog": "okta",
    "OneLogin.Events": "onelogin",
    "OnePassword.SignInAttempt": "onepassword",
}

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"


class Shared(NamedTuple):
    """A record of the shared file: its format (None: of a service without one), and the test it was made for."""

    format: str | None
    test: str
    record: dict[str, Any]


@cache
def shared_records() -> tuple[Shared, ...]:
    return tuple(_shared_records())


def _shared_records() -> Iterator[Shared]:
    for line in (SHARED / "provider_login_events.jsonl").read_text().splitlines():
        entry = json.loads(line)
        record, kinds = entry["log"], entry["log_types"]
        kind = record.get("p_log_type") or (kinds[0] if len(kinds) == 1 else "")
        yield Shared(FORMATS.get(kind), entry["test"], record)


_GEO = {"country": "NO", "city": "Oslo", "latitude": "59.91", "longitude": "10.75"}
_WINDOWS = {
    "TargetUserSid": "S-1-5-21-1-2-3-1104",
    "TargetUserName": "Ana",
    "TargetDomainName": "CORP",
    "LogonType": "10",
    "WorkstationName": "LAPTOP7",
    "IpAddress": "192.0.2.7",
}
_WINDOWS_4624 = {
    "event_id": "dc1.corp.example/815",
    "occurred_at": "2024-05-01T08:00:00.1234567Z",
    "user": "ana",
    "outcome": "success",
    "ip": "192.0.2.7",
    "device_id": "LAPTOP7",
    "auth_method": "RemoteInteractive",
    "application": "dc1.corp.example",
}
_SUBJECT = ["S-1-0-0", "-", "-", "0x0", "S-1-5-21-1-2-3-1104", "Ana", "CORP"]
_KEYCLOAK = {
    "event_id": "6d1a",
    "occurred_at": "2023-05-25T22:24:19.357000+00:00",
    "user": "ana",
    "outcome": "failure",
    "ip": "192.0.2.7",
    "auth_method": "password",
    "application": "portal",
}
_CLOUDTRAIL = {
    "eventVersion": "1.08",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana", "userName": "ana"},
    "eventTime": "2024-05-01T08:00:00Z",
    "eventSource": "signin.amazonaws.com",
    "eventName": "ConsoleLogin",
    "sourceIPAddress": "192.0.2.7",
    "userAgent": CHROME,
    "responseElements": {"ConsoleLogin": "Failure"},
    "additionalEventData": {"MFAUsed": "Yes"},
    "eventID": "e1",
    "recipientAccountId": "111122223333",
}
_CLOUDTRAIL_LOGIN = {
    "event_id": "e1",
    "occurred_at": "2024-05-01T08:00:00Z",
    "user": "ana",
    "outcome": "failure",
    "ip": "192.0.2.7",
    "user_agent": CHROME,
    "auth_method": "password and MFA",
    "application": "111122223333",
}
_GRAPH = {
    "id": "s1",
    "createdDateTime": "2024-05-01T08:00:00Z",
    "userPrincipalName": "ana@corp.example",
    "appDisplayName": "Exchange",
    "ipAddress": "192.0.2.7",
    "userAgent": CHROME,
    "status": {"errorCode": 50126, "failureReason": "Invalid username or password"},
    "location": {
        "city": "Oslo",
        "state": "Oslo fylke",
        "countryOrRegion": "NO",
        "geoCoordinates": {"latitude": 59.91, "longitude": 10.75},
    },
    "autonomousSystemNumber": 2119,
    "deviceDetail": {"deviceId": "d7"},
    "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": False}],
}
_GRAPH_LOGIN = {
    "event_id": "s1",
    "occurred_at": "2024-05-01T08:00:00Z",
    "user": "ana@corp.example",
    "outcome": "failure",
    "ip": "192.0.2.7",
    **_GEO,
    "region": "Oslo fylke",
    "asn": "2119",
    "user_agent": CHROME,
    "device_id": "d7",
    "auth_method": "Password",
    "application": "Exchange",
}
_GOOGLE = {
    "kind": "admin#reports#activity",
    "id": {"time": "2024-05-01T08:00:00.123Z", "uniqueQualifier": "-815", "applicationName": "login"},
    "actor": {"email": "ana@corp.example", "profileId": "1"},
    "ipAddress": "192.0.2.7",
    "networkInfo": {"ipAsn": [2119], "regionCode": "NO", "subdivisionCode": "NO-03"},
    "events": [
        {"type": "login", "name": "login_challenge", "parameters": []},
        {
            "type": "login",
            "name": "login_failure",
            "parameters": [
                {"name": "login_type", "value": "google_password"},
                {"name": "login_challenge_method", "multiValue": ["password"]},
                {"name": "is_suspicious", "boolValue": False},
            ],
        },
    ],
}
_ECS_LOGIN = {
    "event_id": "x1",
    "occurred_at": "2024-05-01T08:00:00Z",
    "user": "ana",
    "outcome": "failure",
    "ip": "192.0.2.7",
    **_GEO,
    "region": "Oslo",
    "asn": "2119",
    "user_agent": CHROME,
    "auth_method": "password",
    "application": "sshd",
}

#: Format, record, and its canonical login.
LOGINS: list[tuple[str, Any, dict[str, str]]] = [
    (
        "okta",
        {
            "uuid": "u1",
            "published": "2024-05-01T08:00:00.123Z",
            "eventType": "user.session.start",
            "version": "0",
            "actor": {"id": "00u1", "type": "User", "alternateId": "ana@corp.example", "displayName": "Ana"},
            "client": {
                "userAgent": {"rawUserAgent": CHROME, "os": "Linux", "browser": "CHROME"},
                "device": "Computer",
                "ipAddress": "192.0.2.7",
                "geographicalContext": {
                    "city": "Oslo",
                    "state": "Oslo",
                    "country": "Norway",
                    "geolocation": {"lat": 59.91, "lon": 10.75},
                },
            },
            "device": {"id": "guo7", "managed": True},
            "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
            "securityContext": {"asNumber": 2119, "isProxy": False},
            "authenticationContext": {"credentialType": "PASSWORD"},
            "target": [
                {"id": "0oa", "type": "AppUser", "displayName": "x"},
                {"id": "0ob", "type": "AppInstance", "displayName": "Okta Dashboard"},
            ],
        },
        {
            "event_id": "u1",
            "occurred_at": "2024-05-01T08:00:00.123Z",
            "user": "ana@corp.example",
            "outcome": "failure",
            "ip": "192.0.2.7",
            **_GEO,
            "region": "Oslo",
            "asn": "2119",
            "user_agent": CHROME,
            "device_id": "guo7",
            "auth_method": "PASSWORD",
            "application": "Okta Dashboard",
        },
    ),
    ("entra", _GRAPH, _GRAPH_LOGIN),
    (
        "entra",
        {
            "time": "2024-05-01T08:02:00Z",
            "category": "NonInteractiveUserSignInLogs",
            "operationName": "Sign-in activity",
            "resultType": "50126",
            "callerIpAddress": "198.51.100.1",
            "location": "NO",
            "properties": _GRAPH,
        },
        _GRAPH_LOGIN,
    ),
    (
        "entra",
        {
            "TimeGenerated": "2024-05-01T08:00:00Z",
            "Category": "SignInLogs",
            "Id": "s2",
            "UserPrincipalName": "ana@corp.example",
            "ResultType": "0",
            "IPAddress": "192.0.2.7:4711",
            "LocationDetails": {"city": "Oslo", "countryOrRegion": "NO"},
            "AuthenticationProtocol": "none",
            "AuthenticationRequirement": "multiFactorAuthentication",
        },
        {
            "event_id": "s2",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "ana@corp.example",
            "outcome": "success",
            "ip": "192.0.2.7",
            "country": "NO",
            "city": "Oslo",
            "auth_method": "multiFactorAuthentication",
        },
    ),
    (
        "auth0",
        {
            "log_id": "900",
            "data": {
                "date": "2024-05-01T08:00:00.123Z",
                "type": "s",
                "user_name": "ana@corp.example",
                "user_id": "auth0|1",
                "ip": "192.0.2.7",
                "user_agent": CHROME,
                "strategy": "auth0",
                "connection": "Username-Password-Authentication",
                "client_id": "c1",
                "client_name": "Portal",
                "location_info": {
                    "country_code": "NO",
                    "country_name": "Norway",
                    "city_name": "Oslo",
                    "latitude": 59.91,
                    "longitude": 10.75,
                },
            },
        },
        {
            "event_id": "900",
            "occurred_at": "2024-05-01T08:00:00.123Z",
            "user": "ana@corp.example",
            "outcome": "success",
            "ip": "192.0.2.7",
            **_GEO,
            "user_agent": CHROME,
            "auth_method": "auth0",
            "application": "Portal",
        },
    ),
    (
        "duo",
        {
            "access_device": {
                "browser": "Chrome",
                "browser_version": "67.0.3396.99",
                "epkey": "EP1",
                "ip": "192.0.2.7",
                "location": {"city": "Ann Arbor", "country": "United States", "state": "Michigan"},
                "os": "Mac OS X",
                "os_version": "10.14.1",
            },
            "application": {"key": "DI1", "name": "VPN"},
            "event_type": "authentication",
            "factor": "duo_push",
            "isotimestamp": "2020-02-13T18:56:20.351346+00:00",
            "reason": "user_marked_fraud",
            "result": "fraud",
            "timestamp": 1581620180,
            "txid": "340a",
            "user": {"key": "DU1", "name": "ana@corp.example"},
        },
        {
            "event_id": "340a",
            "occurred_at": "2020-02-13T18:56:20.351346+00:00",
            "user": "ana@corp.example",
            "outcome": "failure",
            "ip": "192.0.2.7",
            "country": "US",
            "region": "Michigan",
            "city": "Ann Arbor",
            "user_agent": "Chrome/67.0.3396.99 (Mac OS X 10.14.1)",
            "device_id": "EP1",
            "auth_method": "duo_push",
            "application": "VPN",
        },
    ),
    (
        "duo",
        {
            "action": "admin_login",
            "description": '{"ip_address": "192.0.2.7", "factor": "sms"}',
            "timestamp": 1581620180,
            "username": "Ana",
        },
        {
            "occurred_at": "2020-02-13T18:56:20+00:00",
            "user": "Ana",
            "outcome": "success",
            "ip": "192.0.2.7",
            "auth_method": "sms",
            "application": "Duo Admin Panel",
        },
    ),
    ("cloudtrail", _CLOUDTRAIL, _CLOUDTRAIL_LOGIN),
    ("cloudtrail", {"Events": [{"EventId": "e1", "CloudTrailEvent": json.dumps(_CLOUDTRAIL)}]}, _CLOUDTRAIL_LOGIN),
    (
        "cloudtrail",
        {
            "eventName": "UserAuthentication",
            "eventSource": "signin.amazonaws.com",
            "eventTime": "2024-05-01T08:00:00Z",
            "eventID": "e2",
            "sourceIPAddress": "192.0.2.7",
            "recipientAccountId": "111122223333",
            "userIdentity": {"type": "Unknown", "arn": "", "userName": "ana"},
            "additionalEventData": {"CredentialType": "PASSWORD"},
            "responseElements": None,
            "serviceEventDetails": {"UserAuthentication": "Success"},
        },
        {
            "event_id": "e2",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "ana",
            "outcome": "success",
            "ip": "192.0.2.7",
            "auth_method": "PASSWORD",
            "application": "111122223333",
        },
    ),
    (
        "cloudtrail",
        {
            **_CLOUDTRAIL,
            "userIdentity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::111122223333:assumed-role/sso/ana@corp.example",
            },
            "additionalEventData": {"SamlProviderArn": "arn:aws:iam::111122223333:saml-provider/Okta", "MFAUsed": "No"},
            "responseElements": {"ConsoleLogin": "Success"},
        },
        {**_CLOUDTRAIL_LOGIN, "user": "ana@corp.example", "outcome": "success", "auth_method": "SAML"},
    ),
    (
        "google_workspace",
        _GOOGLE,
        {
            "event_id": "2024-05-01T08:00:00.123Z -815 login_failure",
            "occurred_at": "2024-05-01T08:00:00.123Z",
            "user": "ana@corp.example",
            "outcome": "failure",
            "ip": "192.0.2.7",
            "country": "NO",
            "region": "NO-03",
            "asn": "2119",
            "auth_method": "google_password",
            "application": "login",
        },
    ),
    (
        "google_workspace",
        {
            "insertId": "i1",
            "timestamp": "2024-05-01T08:00:01Z",
            "protoPayload": {
                "serviceName": "login.googleapis.com",
                "methodName": "google.login.LoginService.loginSuccess",
                "authenticationInfo": {"principalEmail": "ana@corp.example"},
                "requestMetadata": {"callerIp": "192.0.2.7"},
                "metadata": {
                    "activityId": {"timeUsec": "1714550400123456", "uniqQualifier": "-815"},
                    "event": [
                        {
                            "eventType": "login",
                            "eventName": "login_success",
                            "parameter": [{"name": "login_type", "type": "TYPE_STRING", "value": "saml"}],
                        }
                    ],
                },
            },
        },
        {
            "event_id": "i1",
            "occurred_at": "2024-05-01T08:00:00.123456+00:00",
            "user": "ana@corp.example",
            "outcome": "success",
            "ip": "192.0.2.7",
            "auth_method": "saml",
        },
    ),
    (
        "ocsf",
        {
            "class_uid": 3002,
            "class_name": "Authentication",
            "activity_id": 1,
            "status_id": 2,
            "time": 1714550400123,
            "metadata": {"uid": "o1", "version": "1.1.0", "product": {"name": "IdP"}},
            "user": {"name": "ana", "uid": "7"},
            "src_endpoint": {
                "ip": "192.0.2.7",
                "uid": "d7",
                "autonomous_system": {"number": 2119},
                "location": {"city": "Oslo", "country": "NO", "region": "Oslo", "coordinates": [10.75, 59.91]},
            },
            "http_request": {"user_agent": CHROME},
            "auth_protocol": "SAML",
            "service": {"name": "Portal"},
        },
        {
            "event_id": "o1",
            "occurred_at": "2024-05-01T08:00:00.123000+00:00",
            "user": "ana",
            "outcome": "failure",
            "ip": "192.0.2.7",
            **_GEO,
            "region": "Oslo",
            "asn": "2119",
            "user_agent": CHROME,
            "device_id": "d7",
            "auth_method": "SAML",
            "application": "Portal",
        },
    ),
    (
        "ecs",
        {
            "@timestamp": "2024-05-01T08:00:00Z",
            "event": {
                "id": "x1",
                "category": ["authentication", "session"],
                "type": ["info"],
                "outcome": "failure",
                "action": "ssh_login",
            },
            "user": {"name": "ana"},
            "source": {
                "ip": "192.0.2.7",
                "as": {"number": 2119},
                "geo": {
                    "country_iso_code": "NO",
                    "region_name": "Oslo",
                    "city_name": "Oslo",
                    "location": {"lat": 59.91, "lon": 10.75},
                },
            },
            "user_agent": {"original": CHROME},
            "system": {"auth": {"ssh": {"method": "password"}}},
            "service": {"name": "sshd"},
        },
        _ECS_LOGIN,
    ),
    (
        "ecs",
        {
            "_index": "logs",
            "_id": "x1",
            "_source": {
                "@timestamp": "2024-05-01T08:00:00Z",
                "event.category": "authentication",
                "event.outcome": "failure",
                "user.name": "ana",
                "source.ip": "192.0.2.7",
                "source.as.number": 2119,
                "source.geo": {"country_iso_code": "NO", "region_name": "Oslo"},
                "source.geo.city_name": "Oslo",
                "source.geo.location": "59.91,10.75",
                "user_agent.original": CHROME,
                "system.auth.ssh.method": "password",
                "service.name": "sshd",
            },
        },
        _ECS_LOGIN,
    ),
    (
        "windows",
        {
            "@timestamp": "2024-05-01T08:00:00.1234567Z",
            "event": {"code": "4624", "outcome": "success"},
            "winlog": {"event_id": 4624, "record_id": 815, "computer_name": "dc1.corp.example", "event_data": _WINDOWS},
        },
        _WINDOWS_4624,
    ),
    (
        "windows",
        {
            "Event": {
                "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
                "System": {
                    "EventID": 4624,
                    "TimeCreated": {"#attributes": {"SystemTime": "2024-05-01T08:00:00.1234567Z"}},
                    "EventRecordID": 815,
                    "Computer": "dc1.corp.example",
                },
                "EventData": _WINDOWS,
            }
        },
        _WINDOWS_4624,
    ),
    (
        "windows",
        {
            "Event": {
                "System": {
                    "EventID": {"@Qualifiers": "", "#text": "4624"},
                    "TimeCreated": {"@SystemTime": "2024-05-01T08:00:00.1234567Z"},
                    "EventRecordID": "815",
                    "Computer": "dc1.corp.example",
                },
                "EventData": {"Data": [{"@Name": name, "#text": value} for name, value in _WINDOWS.items()]},
            }
        },
        _WINDOWS_4624,
    ),
    (
        "windows",
        {
            "Id": 4625,
            "RecordId": 816,
            "TimeCreated": "/Date(1714550400123)/",
            "MachineName": "dc1.corp.example",
            "Properties": [
                {"Value": value}
                for value in (
                    *_SUBJECT,
                    "0xc000006d",
                    "%%2313",
                    "0xc000006a",
                    3,
                    "NtLmSsp",
                    "NTLM",
                    "LAPTOP7",
                    "-",
                    "-",
                )
            ]
            + [{"Value": value} for value in (0, "0x0", "-", "192.0.2.7", "50123")],
        },
        {
            **_WINDOWS_4624,
            "event_id": "dc1.corp.example/816",
            "occurred_at": "2024-05-01T08:00:00.123000+00:00",
            "outcome": "failure",
            "auth_method": "Network",
        },
    ),
    (
        "windows",
        {
            "EventTime": "2024-05-01T10:00:00.1234567+02:00",
            "EventID": 4624,
            "RecordNumber": 815,
            "Hostname": "dc1.corp.example",
            **_WINDOWS,
        },
        {**_WINDOWS_4624, "occurred_at": "2024-05-01T10:00:00.1234567+02:00"},
    ),
    (
        "keycloak",
        {
            "id": "6d1a",
            "time": 1685053459357,
            "type": "LOGIN_ERROR",
            "realmId": "r",
            "clientId": "portal",
            "userId": None,
            "ipAddress": "192.0.2.7",
            "error": "invalid_user_credentials",
            "details": {"auth_method": "openid-connect", "credential_type": "password", "username": "ana"},
        },
        _KEYCLOAK,
    ),
    (
        "keycloak",
        {
            "id": "6d1a",
            "client_id": "portal",
            "details_json": '{"credential_type": "password", "username": "ana"}',
            "error": "invalid_user_credentials",
            "ip_address": "192.0.2.7",
            "realm_id": "r",
            "event_time": 1685053459357,
            "type": "LOGIN_ERROR",
            "user_id": None,
        },
        _KEYCLOAK,
    ),
    (
        "keycloak",
        {
            "timestamp": "2023-05-25T22:24:19.357Z",
            "loggerName": "org.keycloak.events",
            "level": "WARN",
            "message": 'type="LOGIN_ERROR", realmId="r", clientId="portal", userId="null", ipAddress="192.0.2.7", '
            'error="user_not_found", auth_method="openid-connect", username="ana, type=LOGIN"',
        },
        {
            "occurred_at": "2023-05-25T22:24:19.357Z",
            "user": "ana, type=LOGIN",
            "outcome": "failure",
            "ip": "192.0.2.7",
            "auth_method": "openid-connect",
            "application": "portal",
        },
    ),
    (
        "microsoft365",
        {
            "Id": "m1",
            "CreationTime": "2024-05-01T08:00:00",
            "Operation": "UserLoggedIn",
            "UserId": "ana@corp.example",
            "ClientIP": "[2001:db8::7]:443",
            "ApplicationId": "app7",
            "ExtendedProperties": [
                {"Name": "UserAgent", "Value": CHROME},
                {"Name": "RequestType", "Value": "OAuth2:Authorize"},
            ],
            "DeviceProperties": [{"Name": "Id", "Value": "d7"}],
        },
        {
            "event_id": "m1",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "ana@corp.example",
            "outcome": "success",
            "ip": "2001:db8::7",
            "user_agent": CHROME,
            "device_id": "d7",
            "auth_method": "OAuth2:Authorize",
            "application": "app7",
        },
    ),
    (
        "teleport",
        {
            "event": "user.login",
            "uid": "t1",
            "time": "2024-05-01T08:00:00Z",
            "user": "ana",
            "success": False,
            "method": "local",
            "addr.remote": "192.0.2.7:4711",
            "user_agent": CHROME,
            "cluster_name": "prod",
        },
        {
            "event_id": "t1",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "ana",
            "outcome": "failure",
            "ip": "192.0.2.7",
            "user_agent": CHROME,
            "auth_method": "local",
            "application": "prod",
        },
    ),
    (
        "onelogin",
        {
            "id": 42,
            "created_at": "2024-05-01T08:00:00Z",
            "event_type_id": 8,
            "user_name": "Ana",
            "ipaddr": "192.0.2.7",
            "app_name": "Portal",
            "otp_device_name": "Authenticator",
        },
        {
            "event_id": "42",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "Ana",
            "outcome": "success",
            "ip": "192.0.2.7",
            "auth_method": "Authenticator",
            "application": "Portal",
        },
    ),
    (
        "onepassword",
        {
            "uuid": "p1",
            "session_uuid": "q",
            "timestamp": "2024-05-01T08:00:00Z",
            "country": "NO",
            "category": "mfa_failed",
            "type": "totp_bad",
            "target_user": {"email": "ana@corp.example"},
            "client": {"app_name": "Extension", "ip_address": "192.0.2.7"},
            "location": {"country": "NO", "region": "Oslo", "city": "Oslo", "latitude": 59.91, "longitude": 10.75},
        },
        {
            "event_id": "p1",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "ana@corp.example",
            "outcome": "failure",
            "ip": "192.0.2.7",
            **_GEO,
            "region": "Oslo",
            "auth_method": "totp_bad",
            "application": "Extension",
        },
    ),
    (
        "asana",
        {
            "gid": "7",
            "created_at": "2024-05-01T08:00:00.123Z",
            "event_type": "user_login_failed",
            "event_category": "logins",
            "actor": {"email": "ana@corp.example"},
            "context": {"client_ip_address": "192.0.2.7", "context_type": "web", "user_agent": CHROME},
            "details": {"method": ["SAML"]},
        },
        {
            "event_id": "7",
            "occurred_at": "2024-05-01T08:00:00.123Z",
            "user": "ana@corp.example",
            "outcome": "failure",
            "ip": "192.0.2.7",
            "user_agent": CHROME,
            "auth_method": "SAML",
            "application": "web",
        },
    ),
    (
        "box",
        {
            "type": "event",
            "event_id": "b1",
            "event_type": "LOGIN",
            "created_at": "2024-05-01T00:00:00-08:00",
            "created_by": {"type": "user", "login": "ana@corp.example"},
            "ip_address": "192.0.2.7",
        },
        {
            "event_id": "b1",
            "occurred_at": "2024-05-01T00:00:00-08:00",
            "user": "ana@corp.example",
            "outcome": "success",
            "ip": "192.0.2.7",
        },
    ),
    (
        "notion",
        {
            "event": {
                "id": "n1",
                "timestamp": "2024-05-01T08:00:00Z",
                "type": "user.login",
                "actor": {"person": {"email": "ana@corp.example"}},
                "ip_address": "192.0.2.7",
                "details": {"authType": "saml"},
                "platform": "web",
            }
        },
        {
            "event_id": "n1",
            "occurred_at": "2024-05-01T08:00:00Z",
            "user": "ana@corp.example",
            "outcome": "success",
            "ip": "192.0.2.7",
            "auth_method": "saml",
            "application": "web",
        },
    ),
]

#: Format, record, and the kind as which it is skipped.
OTHERS: list[tuple[str, Any, str]] = [
    ("okta", {"eventType": "user.session.start", "outcome": {"result": "CHALLENGE"}}, "user.session.start CHALLENGE"),
    ("okta", {"eventType": "user.authentication.sso", "outcome": {"result": "SUCCESS"}}, "user.authentication.sso"),
    ("entra", {**_GRAPH, "status": {"errorCode": 50074}}, "interrupted sign-in (50074)"),
    ("entra", {"category": "AuditLogs", "operationName": "Add user"}, "AuditLogs: Add user"),
    ("entra", {"activityDisplayName": "Add user", "id": "1"}, "audit: Add user"),
    ("auth0", {"data": {"type": "ss", "user_name": "ana"}}, "ss"),
    ("duo", {"event_type": "enrollment", "user": {"name": "ana"}}, "enrollment"),
    ("cloudtrail", {**_CLOUDTRAIL, "eventName": "CheckMfa"}, "CheckMfa (signin.amazonaws.com)"),
    ("google_workspace", {"id": {"applicationName": "login"}, "events": [{"name": "logout"}]}, "logout"),
    ("google_workspace", {"id": {"applicationName": "login"}, "events": []}, "without events"),
    ("ocsf", {"class_uid": 3002, "activity_id": 2, "activity_name": "Logoff"}, "activity Logoff"),
    ("ocsf", {"class_uid": 2004, "class_name": "Detection Finding"}, "class Detection Finding"),
    ("ecs", {"event": {"category": ["process"]}}, "category process"),
    ("ecs", {"event": {"category": ["authentication"], "action": "logged-out"}}, "logged-out"),
    ("ecs", {"message": "x"}, "no event.category"),
    ("windows", {"EventID": 4672}, "event 4672"),
    ("windows", {"EventID": 4624, "TargetUserName": "DC1$"}, "4624 of a machine or the system"),
    ("windows", {"EventID": 4624, "TargetUserSid": "S-1-5-90-0-1"}, "4624 of a machine or the system"),
    ("keycloak", {"type": "CODE_TO_TOKEN", "id": "1"}, "CODE_TO_TOKEN"),
    ("microsoft365", {"Operation": "Add user."}, "Add user."),
    ("teleport", {"event": "session.start"}, "session.start"),
    ("onelogin", {"event_type_id": 72}, "event_type_id 72"),
    ("asana", {"event_type": "task_deleted"}, "task_deleted"),
    ("box", {"event_type": "DELETE"}, "DELETE"),
    ("notion", {"event": {"type": "page.viewed"}}, "page.viewed"),
]
