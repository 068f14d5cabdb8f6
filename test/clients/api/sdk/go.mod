module balafon/clients/api/sdk

go 1.25.12

require (
	github.com/confluentinc/ccloud-sdk-go-v2/apikeys v0.4.0
	github.com/confluentinc/ccloud-sdk-go-v2/cmk v0.27.0
	github.com/confluentinc/ccloud-sdk-go-v2/iam v0.17.0
	github.com/confluentinc/ccloud-sdk-go-v2/org v0.14.0
)
