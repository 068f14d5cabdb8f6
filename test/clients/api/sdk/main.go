// The published Go SDK against the provisioning API, with nothing but its base URL changed.
// sdk-suite API KEY_ID KEY_SECRET; exits with 1 and a reason when something is not as with the original service.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"

	apikeys "github.com/confluentinc/ccloud-sdk-go-v2/apikeys/v2"
	cmk "github.com/confluentinc/ccloud-sdk-go-v2/cmk/v2"
	iam "github.com/confluentinc/ccloud-sdk-go-v2/iam/v2"
	org "github.com/confluentinc/ccloud-sdk-go-v2/org/v2"
)

func must(ok bool, what string) {
	if !ok {
		fmt.Println("FAIL", what)
		os.Exit(1)
	}
	fmt.Println("ok  ", what)
}

func noError(err error, what string) {
	if err != nil {
		fmt.Println("FAIL", what, err)
		if body, ok := err.(interface{ Body() []byte }); ok {
			fmt.Println(string(body.Body()))
		}
		os.Exit(1)
	}
	fmt.Println("ok  ", what)
}

func status(response *http.Response) int {
	if response == nil {
		return 0
	}
	return response.StatusCode
}

func main() {
	base, id, secret := os.Args[1], os.Args[2], os.Args[3]
	ctx := context.Background()

	cmkConfig := cmk.NewConfiguration()
	cmkConfig.Servers = cmk.ServerConfigurations{{URL: base}}
	clusters := cmk.NewAPIClient(cmkConfig).ClustersCmkV2Api
	cmkCtx := context.WithValue(ctx, cmk.ContextBasicAuth, cmk.BasicAuth{UserName: id, Password: secret})

	keysConfig := apikeys.NewConfiguration()
	keysConfig.Servers = apikeys.ServerConfigurations{{URL: base}}
	keys := apikeys.NewAPIClient(keysConfig).APIKeysIamV2Api
	keysCtx := context.WithValue(ctx, apikeys.ContextBasicAuth, apikeys.BasicAuth{UserName: id, Password: secret})

	iamConfig := iam.NewConfiguration()
	iamConfig.Servers = iam.ServerConfigurations{{URL: base}}
	accounts := iam.NewAPIClient(iamConfig).ServiceAccountsIamV2Api
	iamCtx := context.WithValue(ctx, iam.ContextBasicAuth, iam.BasicAuth{UserName: id, Password: secret})

	orgConfig := org.NewConfiguration()
	orgConfig.Servers = org.ServerConfigurations{{URL: base}}
	environments := org.NewAPIClient(orgConfig).EnvironmentsOrgV2Api
	orgCtx := context.WithValue(ctx, org.ContextBasicAuth, org.BasicAuth{UserName: id, Password: secret})

	environment, _, err := environments.CreateOrgV2Environment(orgCtx).
		OrgV2Environment(org.OrgV2Environment{DisplayName: org.PtrString("sdk")}).Execute()
	noError(err, "create an environment")
	envId := environment.GetId()

	account, _, err := accounts.CreateIamV2ServiceAccount(iamCtx).
		IamV2ServiceAccount(iam.IamV2ServiceAccount{DisplayName: iam.PtrString("sdk"), Description: iam.PtrString("d")}).Execute()
	noError(err, "create a service account")
	account, _, err = accounts.UpdateIamV2ServiceAccount(iamCtx, account.GetId()).
		IamV2ServiceAccount(iam.IamV2ServiceAccount{Description: iam.PtrString("other")}).Execute()
	noError(err, "update a service account")
	must(account.GetDescription() == "other", "its description is the new one")

	made := map[string]bool{}
	for number := 0; number < 5; number++ {
		config := cmk.CmkV2BasicAsCmkV2ClusterSpecConfigOneOf(&cmk.CmkV2Basic{Kind: "Basic"})
		spec := cmk.CmkV2ClusterSpec{
			DisplayName:  cmk.PtrString(fmt.Sprintf("sdk-%d", number)),
			Availability: cmk.PtrString("SINGLE_ZONE"),
			Cloud:        cmk.PtrString("AWS"),
			Region:       cmk.PtrString("us-east-1"),
			Config:       &config,
			Environment:  &cmk.EnvScopedObjectReference{Id: envId},
		}
		cluster, response, err := clusters.CreateCmkV2Cluster(cmkCtx).CmkV2Cluster(cmk.CmkV2Cluster{Spec: &spec}).Execute()
		noError(err, "create a cluster")
		must(status(response) == 202, "it is answered with 202")
		made[cluster.GetId()] = true
	}
	seen := map[string]bool{}
	request := clusters.ListCmkV2Clusters(cmkCtx).Environment(envId).PageSize(2)
	for {
		page, _, err := request.Execute()
		noError(err, "list a page of clusters")
		for _, cluster := range page.GetData() {
			seen[cluster.GetId()] = true
		}
		next := page.GetMetadata().Next
		if next.Get() == nil || *next.Get() == "" {
			break
		}
		address, err := url.Parse(*next.Get())
		noError(err, "the next page has an address")
		request = request.PageToken(address.Query().Get("page_token"))
	}
	must(len(seen) == len(made), "the pages have all clusters")

	var one string
	for id := range made {
		one = id
	}
	cluster, _, err := clusters.GetCmkV2Cluster(cmkCtx, one).Environment(envId).Execute()
	noError(err, "get a cluster")
	must(cluster.GetStatus().Phase == "PROVISIONED", "it is provisioned")
	must(cluster.GetSpec().Config.CmkV2Basic != nil, "its kind is known to the SDK")
	update := cmk.CmkV2ClusterUpdate{Spec: &cmk.CmkV2ClusterSpecUpdate{
		DisplayName: cmk.PtrString("renamed"),
		Environment: &cmk.EnvScopedObjectReference{Id: envId},
	}}
	cluster, _, err = clusters.UpdateCmkV2Cluster(cmkCtx, one).CmkV2ClusterUpdate(update).Execute()
	noError(err, "update a cluster")
	must(*cluster.GetSpec().DisplayName == "renamed", "its name is the new one")

	key, response, err := keys.CreateIamV2ApiKey(keysCtx).IamV2ApiKey(apikeys.IamV2ApiKey{Spec: &apikeys.IamV2ApiKeySpec{
		DisplayName: apikeys.PtrString("sdk"),
		Owner:       &apikeys.ObjectReference{Id: account.GetId()},
		Resource:    &apikeys.ObjectReference{Id: one},
	}}).Execute()
	noError(err, "create a key")
	must(status(response) == 202 && key.GetSpec().Secret != nil, "it has a secret")
	listed, _, err := keys.ListIamV2ApiKeys(keysCtx).SpecOwner(account.GetId()).SpecResource(one).Execute()
	noError(err, "list keys by owner and cluster")
	must(len(listed.GetData()) == 1, "there is one")
	_, _, err = keys.UpdateIamV2ApiKey(keysCtx, key.GetId()).
		IamV2ApiKeyUpdate(apikeys.IamV2ApiKeyUpdate{Spec: &apikeys.IamV2ApiKeySpecUpdate{Description: apikeys.PtrString("d")}}).Execute()
	noError(err, "update a key")
	_, err = keys.DeleteIamV2ApiKey(keysCtx, key.GetId()).Execute()
	noError(err, "delete a key")

	for id := range made {
		response, err := clusters.DeleteCmkV2Cluster(cmkCtx, id).Environment(envId).Execute()
		noError(err, "delete a cluster")
		must(status(response) == 204, "it is answered with 204")
	}
	_, response, err = clusters.GetCmkV2Cluster(cmkCtx, one).Environment(envId).Execute()
	must(err != nil && status(response) == 404, "a deleted cluster is not there")
	_, err = accounts.DeleteIamV2ServiceAccount(iamCtx, account.GetId()).Execute()
	noError(err, "delete a service account")
	_, err = environments.DeleteOrgV2Environment(orgCtx, envId).Execute()
	noError(err, "delete an environment")
}
