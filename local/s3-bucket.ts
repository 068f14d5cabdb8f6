import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

/** Makes the bucket of a local cell on an S3 endpoint, unless it is there. */
export async function ensureBucket(options: {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
}): Promise<void> {
  const client = new S3Client({ endpoint: options.endpoint, region: options.region, forcePathStyle: true });
  try {
    await client.send(new CreateBucketCommand({ Bucket: options.bucket }));
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
  } finally {
    client.destroy();
  }
}
